-- A film's database as version 0.1.0 made it (commit 6fcc469), by sqlite3's dump.
BEGIN TRANSACTION;
CREATE TABLE films (
    film_id INTEGER PRIMARY KEY,
    film TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    width INTEGER,             -- of the picture as shown, before the crop
    height INTEGER,
    duration_s REAL,
    crop TEXT,                 -- w:h:x:y of what was kept, NULL: all of it
    matrix TEXT,               -- how the film's colors were read, NULL: as images
    color_range TEXT,
    transfer TEXT,
    primaries TEXT,
    assumed TEXT               -- which of these four the film does not say
) STRICT;
INSERT INTO "films" VALUES(1,'a','a','pictures/a.tar',64,48,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE frames (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,    -- index in the film, from 0
    time_s REAL,               -- presentation time from the film's first frame
    name TEXT NOT NULL,
    mean_color INTEGER NOT NULL,
    luma REAL NOT NULL,        -- mean luma, Rec. 709 weights on sRGB, [0, 255]
    strip BLOB NOT NULL,       -- the frame averaged over its width, height x 3 bytes
    PRIMARY KEY (film_id, frame)
) STRICT;
INSERT INTO "frames" VALUES(1,0,NULL,'1.jpg',12591136,6.61762661315917881648e+01,X'C02020C02020C02020C02020C02020C02020');
INSERT INTO "frames" VALUES(1,2,NULL,'3.jpg',2105536,4.33098761047363254314e+01,X'2020C02020C02020C02020C02020C02020C0');
CREATE TABLE metadata (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "metadata" VALUES('digest','9853c7460bf26961 f88c565327f95850');
INSERT INTO "metadata" VALUES('engine','numba');
INSERT INTO "metadata" VALUES('settings','{"cluster.color_space": "srgb", "cluster.cpu_engine": "numba", "cluster.n_colors": 2, "cluster.n_init": 5, "cluster.seed": 0, "crop.letterbox": "auto", "downsample.height": 6, "mean.exact": true, "mean.space": "srgb"}');
INSERT INTO "metadata" VALUES('version/av','18.1.0');
INSERT INTO "metadata" VALUES('version/numba','0.68.1');
INSERT INTO "metadata" VALUES('version/numpy','2.4.6');
INSERT INTO "metadata" VALUES('version/opencv-python-headless','5.0.0.93');
INSERT INTO "metadata" VALUES('version/pillow','13.0.0');
INSERT INTO "metadata" VALUES('version/reelbow','0.1.0');
INSERT INTO "metadata" VALUES('version/scikit-learn','1.9.1');
INSERT INTO "metadata" VALUES('version/simplejpeg','1.9.0');
CREATE TABLE palettes (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- sums to 1 over a frame
    PRIMARY KEY (film_id, frame, rank)
) STRICT, WITHOUT ROWID;
INSERT INTO "palettes" VALUES(1,0,0,12591136,1.0);
INSERT INTO "palettes" VALUES(1,2,0,2105536,1.0);
CREATE TABLE shards (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    engine TEXT NOT NULL,      -- of k-means
    version TEXT NOT NULL,     -- of the engine's package
    gpu_fallback TEXT,         -- why a CPU did what was a GPU's; NULL: it did not
    PRIMARY KEY (film_id, shard)
) STRICT;
INSERT INTO "shards" VALUES(1,'00000','numba','0.68.1',NULL);
CREATE TABLE skipped (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
INSERT INTO "skipped" VALUES(1,'00000','2.jpg','not an image, or a damaged one');
CREATE VIEW images AS SELECT f.name AS imgname,
        (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id
            AND p.frame = f.frame AND p.rank = 0) AS color0,
        (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id
            AND p.frame = f.frame AND p.rank = 1) AS color1
FROM frames AS f ORDER BY f.film_id, f.frame;
COMMIT;
