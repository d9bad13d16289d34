-- A film's database as version 0.2.0 made it (commit d97e735), by sqlite3's dump.
PRAGMA application_id = 1380729431;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
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
    matrix TEXT,               -- how the film's colors were read, NULL: as images
    color_range TEXT,
    transfer TEXT,
    primaries TEXT,
    assumed TEXT,              -- which of these four the film does not say;
                               -- "varies": some of its pictures have others
    sheet TEXT,                -- the sheet's further columns, as a JSON object
    made_at TEXT               -- when its last shard was made, UTC
) STRICT;
INSERT INTO "films" VALUES(1,'pictures','pictures','pictures/',NULL,NULL,NULL,NULL,NULL,NULL,4,4,160,90,NULL,NULL,'auto',NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26T20:45:15+00:00');
CREATE TABLE frames (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,    -- index in the film, from 0
    time_s REAL,               -- presentation time from the film's first frame
    name TEXT NOT NULL,
    shard TEXT NOT NULL,       -- which says in shards what file it is of
    mean_color INTEGER NOT NULL,
    luma REAL NOT NULL,        -- mean luma, Rec. 709 weights on sRGB, [0, 255]
    strip BLOB NOT NULL,       -- the frame averaged over its width, height x 3 bytes
    PRIMARY KEY (film_id, frame)
) STRICT;
INSERT INTO "frames" VALUES(1,0,NULL,'0.png','a',8355711,1.27026388888888916992e+02,X'7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080808080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F808080');
INSERT INTO "frames" VALUES(1,1,NULL,'1.png','a',8420990,1.26617919444444467554e+02,X'7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F8A74748A75758974748974748A74748A75757F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7E7E7E7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080808080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F');
INSERT INTO "frames" VALUES(1,2,NULL,'0.png','b',8420990,1.26592780555555606269e+02,X'7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F8080808A74748A74748A75758A74748A75758974747F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7E7E7E7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F');
INSERT INTO "frames" VALUES(1,3,NULL,'1.png','b',8420990,1.26567850000000078122e+02,X'7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7E7E7E7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F8A74748A75758A75758A74748A74748A74748080807F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7E7E7E8080807F7F7F8080807F7F7F7F7F7F7E7E7E7F7F7F7F7F7F7F7F7F8080807F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F7F');
CREATE TABLE metadata (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "metadata" VALUES('digest','85ff12ae2345a12e 73ef30839c00af35');
INSERT INTO "metadata" VALUES('engine','numba');
INSERT INTO "metadata" VALUES('made_at','2026-11-26T20:45:15+00:00');
INSERT INTO "metadata" VALUES('settings','{"cluster.color_space": "srgb", "cluster.cpu_engine": "numba", "cluster.n_colors": 4, "cluster.n_init": 5, "cluster.seed": 0, "crop.letterbox": "auto", "downsample.height": 90, "mean.exact": true, "mean.space": "srgb"}');
INSERT INTO "metadata" VALUES('version/av','18.1.0');
INSERT INTO "metadata" VALUES('version/numba','0.68.1');
INSERT INTO "metadata" VALUES('version/numpy','2.4.6');
INSERT INTO "metadata" VALUES('version/opencv-python-headless','5.0.0.93');
INSERT INTO "metadata" VALUES('version/pillow','13.0.0');
INSERT INTO "metadata" VALUES('version/reelbow','0.2.0');
INSERT INTO "metadata" VALUES('version/scikit-learn','1.9.1');
INSERT INTO "metadata" VALUES('version/simplejpeg','1.9.0');
INSERT INTO "metadata" VALUES('rows','sha256:c09d994206df38d2aea9e574c6ebe4a8ba039bdb2937c83a1a5dfef29dadf09f');
CREATE TABLE palettes (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- sums to 1 over a frame
    PRIMARY KEY (film_id, frame, rank)
) STRICT, WITHOUT ROWID;
INSERT INTO "palettes" VALUES(1,0,0,6645093,2.54583325168738883181e-01);
INSERT INTO "palettes" VALUES(1,0,1,3026478,2.51041676833604621155e-01);
INSERT INTO "palettes" VALUES(1,0,2,10197915,2.50833328800896870891e-01);
INSERT INTO "palettes" VALUES(1,0,3,13750737,2.43541669196759624771e-01);
INSERT INTO "palettes" VALUES(1,1,0,13619151,2.61458337306976318359e-01);
INSERT INTO "palettes" VALUES(1,1,1,9934743,2.59027779102325439453e-01);
INSERT INTO "palettes" VALUES(1,1,2,6511965,2.45069444179534912109e-01);
INSERT INTO "palettes" VALUES(1,1,3,2894892,2.34444439411163330078e-01);
INSERT INTO "palettes" VALUES(1,2,0,10132122,2.59236097335815429687e-01);
INSERT INTO "palettes" VALUES(1,2,1,6643808,2.48680561780929565429e-01);
INSERT INTO "palettes" VALUES(1,2,2,13750737,2.47847229242324829101e-01);
INSERT INTO "palettes" VALUES(1,2,3,2960685,2.44236111640930175781e-01);
INSERT INTO "palettes" VALUES(1,3,0,13619151,2.61805560263908498885e-01);
INSERT INTO "palettes" VALUES(1,3,1,9934743,2.57222231369879372753e-01);
INSERT INTO "palettes" VALUES(1,3,2,6511965,2.46736105580089903899e-01);
INSERT INTO "palettes" VALUES(1,3,3,2894892,2.34236102786122224461e-01);
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
INSERT INTO "shards" VALUES(1,'a','numba','0.68.1',NULL,'pictures/a.tar','sha256/chunks:806ff22256351549835ab69e880ff2f8a3c6bbce4d04d8b5263053c6b1deeebb','2026-11-26T20:45:14+00:00',NULL);
INSERT INTO "shards" VALUES(1,'b','numba','0.68.1',NULL,'pictures/b.tar','sha256/chunks:113a89708a208c0f7197df794e10bc488f4144f3bc7275343e87a589addfcd78','2026-11-26T20:45:15+00:00',NULL);
CREATE TABLE skipped (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE VIEW images AS SELECT f.name AS imgname,
    film,
    frame,
    time_s,
    (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 0) AS color0,
    (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 1) AS color1,
    (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 2) AS color2,
    (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 3) AS color3,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 0) AS hex0,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 1) AS hex1,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 2) AS hex2,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 3) AS hex3
FROM frames AS f JOIN films USING (film_id) ORDER BY f.film_id, f.frame;
COMMIT;
