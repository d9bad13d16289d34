-- A film's database as schema 4 had it (commit 20f02be), by sqlite3's dump.
PRAGMA application_id = 1380729431;
PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE film_palettes (   -- of all frames of a film; of a shard there is none
    film_id INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- of the film's time; sums to 1 over a film
    PRIMARY KEY (film_id, rank)
) STRICT;
INSERT INTO "film_palettes" VALUES(1,0,131330,0.5);
INSERT INTO "film_palettes" VALUES(1,1,258,0.25);
INSERT INTO "film_palettes" VALUES(1,2,197637,0.25);
CREATE TABLE films (
    film_id INTEGER PRIMARY KEY,
    film TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    digest TEXT,               -- of the film's bytes, NULL: of tarballs, see shards
    start_s REAL,              -- the stretch that was sampled, NULL: of tarballs
    end_s REAL,                -- NULL: to the end
    stream INTEGER,            -- of the file's videos, NULL: as players choose
    sampling TEXT,             -- interval, frames, keyframes; NULL: every image
    every REAL,                -- seconds, or every nth
    n_frames INTEGER,          -- sampled ones, those in skipped too
    n_pictures INTEGER,        -- that the film has, sampled or not
    width INTEGER,             -- of the picture as shown, before the crop
    height INTEGER,
    duration_s REAL,
    crop TEXT,                 -- w:h:x:y of what was kept, NULL: all of it
    crop_asked TEXT,           -- auto, none or w:h:x:y
    trim_asked TEXT,           -- auto or none, NULL: of tarballs
    trimmed_start TEXT,        -- what was left out before start_s, NULL: nothing
    trimmed_end TEXT,          -- and from end_s on: black, text on black
    matrix TEXT,               -- how the film's colors were read, NULL: as images
    color_range TEXT,
    transfer TEXT,
    primaries TEXT,
    assumed TEXT,              -- which of these four the film does not say;
                               -- "varies": some of its pictures have others
    sheet TEXT,                -- the sheet's further columns, as a JSON object
    made_at TEXT               -- when its last shard was made, UTC
) STRICT;
INSERT INTO "films" VALUES(1,'demo','The Demo','demo.mkv',NULL,NULL,NULL,NULL,NULL,NULL,4,4,64,48,12.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-01-02T03:04:05+00:00');
CREATE TABLE frames (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,    -- index in the film, from 0
    time_s REAL,               -- presentation time from the film's first frame
    name TEXT NOT NULL,
    shard TEXT NOT NULL,       -- which says in shards what file it is of
    mean_color INTEGER NOT NULL,
    luma REAL NOT NULL,        -- mean luma, Rec. 709 weights on sRGB, [0, 255]
    strip BLOB NOT NULL,       -- the frame averaged over its width, height x 3 bytes
                               -- measures, of thumbnails; see docs/measures.md
    lightness REAL NOT NULL,             -- mean L*, [0, 100]
    lightness_deviation REAL NOT NULL,   -- of L*, [0, 50]
    contrast REAL NOT NULL,              -- deviation of luminance, [0, 0.5]
    chroma REAL NOT NULL,                -- mean C*, [0, 134]
    saturation REAL NOT NULL,            -- mean, of HSV, [0, 1]
    colorfulness REAL NOT NULL,          -- M3 of Hasler and Suesstrunk, [0, 298]
    warm_share REAL NOT NULL,            -- of pixels, [0, 1]
    black_share REAL NOT NULL,           -- near black: L* up to 5
    white_share REAL NOT NULL,           -- near white: L* from 95 on
    strip_sharpness REAL NOT NULL,       -- mean step of luma between rows, [0, 255]
    palette_entropy REAL NOT NULL,       -- bits, [0, log2 of the number of colors]
    PRIMARY KEY (film_id, frame)
) STRICT;
INSERT INTO "frames" VALUES(1,0,0.0,'00000000.jpg','00000',0,0.25,X'000000000000',0.5,1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,0.811278124459);
INSERT INTO "frames" VALUES(1,1,0.5,'00000001.jpg','00000',65536,1.25,X'010101010101',1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,10.5,0.811278124459);
INSERT INTO "frames" VALUES(1,2,1.0,'00000002.jpg','00001',131072,2.25,X'020202020202',2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,10.5,11.5,0.811278124459);
CREATE TABLE metadata (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "metadata" VALUES('engine','numba');
INSERT INTO "metadata" VALUES('made_at','2026-01-02T03:04:05+00:00');
INSERT INTO "metadata" VALUES('settings','{}');
INSERT INTO "metadata" VALUES('rows','sha256:e1f74f469c67061c304af5541b091948002e8ec9ff2ce38123f904ced489dab0');
CREATE TABLE palettes (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- sums to 1 over a frame
    accent INTEGER NOT NULL,   -- 1: small but striking, added to the others; 0: not
    PRIMARY KEY (film_id, frame, rank)
) STRICT, WITHOUT ROWID;
INSERT INTO "palettes" VALUES(1,0,0,258,0.75,0);
INSERT INTO "palettes" VALUES(1,0,1,197637,0.25,0);
INSERT INTO "palettes" VALUES(1,1,0,65794,0.75,0);
INSERT INTO "palettes" VALUES(1,1,1,197637,0.25,0);
INSERT INTO "palettes" VALUES(1,2,0,131330,0.75,0);
INSERT INTO "palettes" VALUES(1,2,1,197637,0.25,0);
CREATE TABLE shards (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    engine TEXT NOT NULL,      -- of k-means
    version TEXT NOT NULL,     -- of the engine's package
    gpu_fallback TEXT,         -- why a CPU did what was a GPU's; NULL: it did not
    path TEXT,                 -- of the tarball, or of the film's file
    digest TEXT,               -- of the tarball's bytes, NULL: of a video, see films
    made_at TEXT,              -- UTC
    lost TEXT,                 -- why not all of it could be read, NULL: it could
    PRIMARY KEY (film_id, shard)
) STRICT;
INSERT INTO "shards" VALUES(1,'0','numba','1.2',NULL,'0.tar','digest of 0','2026-01-02T03:04:05+00:00',NULL);
INSERT INTO "shards" VALUES(1,'1','numba','1.2',NULL,'1.tar','digest of 1','2026-01-02T03:04:05+00:00',NULL);
CREATE TABLE shot_palettes (   -- of the frames of a shot, as film_palettes
    film_id INTEGER NOT NULL,
    shot INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    color INTEGER NOT NULL,
    share REAL NOT NULL,
    PRIMARY KEY (film_id, shot, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE shots (           -- between two cuts; only of a film, if asked for
    film_id INTEGER NOT NULL,
    shot INTEGER NOT NULL,     -- from 0
    first_frame INTEGER,       -- of the table frames; NULL: none of them is in it
    last_frame INTEGER,
    start_s REAL,              -- of its first picture, NULL: no times are known
    end_s REAL,                -- of the first picture after it, or the film's end
    PRIMARY KEY (film_id, shot)
) STRICT;
CREATE TABLE skipped (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
INSERT INTO "skipped" VALUES(1,'00001','3','damaged');
CREATE VIEW images AS SELECT f.name AS imgname,
    film,
    frame,
    time_s,
    (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 0) AS color0,
    (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 1) AS color1,
    (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 2) AS color2,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 0) AS hex0,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 1) AS hex1,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 2) AS hex2
FROM frames AS f JOIN films USING (film_id) ORDER BY f.film_id, f.frame;
COMMIT;
