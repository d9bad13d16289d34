"""Reelbow's library: how films, colors, k-means, tables and pictures work.

It knows nothing of Snakemake. Notebooks use ``reelbow.film.read_frames``,
``reelbow.kmeans.find_palettes``, ``reelbow.barcode.draw_barcode`` and
``reelbow.barcode.draw_palettes``.

Its rooms, from the ground up; what is in a room imports from there and from the rooms
above it in this list, never from those below it:

errors     what goes wrong, in one sentence for the user
arguments  checks of what users of the library give
text       numbers, times and tables as people read them
machine    what a node is: compiled code, GPUs, scratch, memory and CPU used, versions
color      color spaces, and HDR and wide gamuts to sRGB
jobs       what every job does around its work: log, whole files, one sentence
pictures   one picture: its file, shape, averages, measures, letterbox, damage
kmeans     palettes of frames: k-means and its engines
database   SQLite: the schema, writing, frames, merging, reading, tables, shots
film       a video as its viewers see it: packets, times, decoding, colors, view
shards     the frames of a shard: its plan and name, the kinds of sources that they
           come from, tarballs, thumbnails, previews
sources    how the plan of each kind of source is made; the demo film
barcode    a film drawn as a picture, alone or as a figure for print
analysis   what is found out about whole films: shots, how films compare, hot pixels
export     tables of a film and swatches of its palette, for other programs
mosaic     a picture made of frames: tiles, which is where, how it is drawn
explorer   pages to look at: of a film, of all films, a search; storyboards
provenance  how results were made: in words to cite, for machines, for colleagues
runs       a whole run: configuration, films, what it asks for, what is told of it
"""

__version__ = "0.2.0"
