"""Plain loops that a user might write instead; peers.py runs them.

Each runs in the environment of its peer, so heavy imports are only where they are
used. `cost_*` tell what one frame costs more than its mean color does, for those that
need seconds for each.
"""

import csv
import json
import sys
import time
from pathlib import Path


def write_means(film, path):
    """Write the mean color of one frame a second, as PyAV's loop gives it."""
    import av

    with av.open(film) as container, Path(path).open("w", newline="") as file:
        table = csv.writer(file)
        due_s = (container.start_time or 0) / av.time_base
        for frame in container.decode(video=0):
            if frame.time >= due_s:
                pixels = frame.to_ndarray(format="rgb24")
                table.writerow(pixels.mean(axis=(0, 1)))
                due_s += 1


def write_palettes(film, path):
    """Write 8 colors and their shares of one frame a second, made 160x90."""
    import av

    with av.open(film) as container, Path(path).open("w", newline="") as file:
        table = csv.writer(file)
        due_s = (container.start_time or 0) / av.time_base
        for frame in container.decode(video=0):
            if frame.time >= due_s:
                small = frame.reformat(160, 90)
                colors, shares = cluster(small.to_ndarray(format="rgb24"))
                table.writerow([*colors.ravel(), *shares])
                due_s += 1


def cluster(pixels):
    """Cluster the pixels of a frame, (h, w, 3) uint8, by scikit-learn."""
    import numpy as np
    from sklearn.cluster import KMeans

    model = KMeans(8, n_init=5, random_state=0).fit(pixels.reshape(-1, 3))
    return model.cluster_centers_, np.bincount(model.labels_) / model.labels_.size


def cost_sklearn(film, n_frames):
    """Cluster all pixels of a few frames."""
    return measure(read_rgb(film, n_frames), cluster)


def cost_kalmus(film, n_frames):
    """Find the Top-dominant color of a few frames."""
    from kalmus.barcodes.Barcode import ColorBarcode

    find = ColorBarcode("Top-dominant", "Whole_frame").get_color_from_frame
    less = ColorBarcode("Average", "Whole_frame").get_color_from_frame
    return measure(read_bgr(film, n_frames), find, less)


def cost_movie_barcodes(film, n_frames):
    """Find the color of method kmeans of a few frames."""
    from movie_barcodes import color_extraction as colors

    find, less = colors.get_dominant_color_kmeans, colors.get_dominant_color_mean
    return measure(read_bgr(film, n_frames), find, less)


def measure(frames, find, less=None):
    """Tell the seconds that a function takes of a few frames, less another's."""
    cost = {"frames": 0, "cpu_s": 0.0, "wall_s": 0.0}
    for frame in frames:
        cost["frames"] += 1
        for function, sign in [(find, 1), (less, -1)]:
            if function is not None:
                cpu, wall = time.process_time(), time.perf_counter()
                function(frame)
                cost["cpu_s"] += sign * (time.process_time() - cpu)
                cost["wall_s"] += sign * (time.perf_counter() - wall)
    return cost


def read_rgb(film, n_frames):
    """Read frames spread over a film, by PyAV."""
    import av

    with av.open(film) as container:
        for i in range(n_frames):
            middle = int(container.duration * (i + 0.5) / n_frames)
            container.seek((container.start_time or 0) + middle)
            yield next(container.decode(video=0)).to_ndarray(format="rgb24")


def read_bgr(film, n_frames):
    """Read frames spread over a film, by OpenCV."""
    import cv2

    capture = cv2.VideoCapture(film)
    n_pictures = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    for i in range(n_frames):
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(n_pictures * (i + 0.5) / n_frames))
        yield capture.read()[1]


if __name__ == "__main__":
    name, film, result, *rest = sys.argv[1:]
    if name.startswith("cost"):
        cost = globals()[name](film, int(rest[0]))
        Path(result).write_text(json.dumps(cost))
    else:
        globals()[name](film, result)
