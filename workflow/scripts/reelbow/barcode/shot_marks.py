"""Where the shots of a film lie in its barcode, and how long they are."""

from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_path
from reelbow.barcode.film_record import FilmRecord, find_film
from reelbow.database.opening import telling_damage
from reelbow.database.shot_rows import ShotRow, read_shots
from reelbow.errors import ReelbowError


class ShotMarks(NamedTuple):
    """The shots of a film.

    Attributes
    ----------
    edges : (n + 1,) float64, where each begins on the barcode's axis of frames, and
        where the last one ends; ascending
    lengths : (n,) float64, above 0
    unit : of the lengths; frames where no times are known
    """

    edges: NDArray[np.float64]
    lengths: NDArray[np.float64]
    unit: Literal["s", "frames"]

    @property
    def borders(self) -> NDArray[np.float64]:
        """Where one shot ends and the next begins."""
        return self.edges[1:-1]

    @classmethod
    def place(cls, shots: list[ShotRow], record: FilmRecord) -> Self:
        """Place shots: by their times if all are known, or else by their frames."""
        n_frames, times_s = len(record.frames), record.times_s
        lengths_s = [shot.length_s or 0.0 for shot in shots]
        if (
            times_s is not None
            and n_frames
            and all(lengths_s)
            and (np.diff(times_s) >= 0).all()
        ):
            # The last frame stands for as long as they do in the median.
            step_s = float(np.median(np.diff(times_s))) if n_frames > 1 else 1.0
            ends_s = np.append(times_s, times_s[-1] + step_s)
            starts_s = np.array([shot.start_s for shot in shots], np.float64)
            starts = np.interp(starts_s, ends_s, np.arange(n_frames + 1))
            return cls(np.append(starts, n_frames), np.array(lengths_s), "s")
        # One without a frame has no place.
        shots = [shot for shot in shots if shot.n_frames]
        firsts = np.array([shot.first_frame for shot in shots], np.int64)
        starts = np.searchsorted(record.frames, firsts).astype(np.float64)
        lengths = [shot.length_s or 0.0 for shot in shots]
        unit: Literal["s", "frames"] = "s" if shots and all(lengths) else "frames"
        if unit == "frames":
            lengths = [float(shot.n_frames) for shot in shots]
        return cls(np.append(starts, n_frames), np.array(lengths), unit)


def read_shot_marks(database: Path | str, record: FilmRecord) -> ShotMarks:
    """Read the shots of a film, as they lie in its barcode.

    Raises
    ------
    ReelbowError
        If they were not looked for.
    """
    path = check_path("database", database)
    with telling_damage(path) as connection:
        film_id, film = find_film(connection, path, record.film)
        shots = read_shots(connection, film_id, film)
    if shots is None:
        raise ReelbowError(
            f"{path} says nothing of shots; delete it and run again with shots.detector"
        )
    return ShotMarks.place(shots, record)
