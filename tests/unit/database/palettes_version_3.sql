-- A film's database as schema 3 had it (commit 60dd5d0), by sqlite3's dump.
PRAGMA application_id = 1380729431;
PRAGMA user_version = 3;
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
INSERT INTO "films" VALUES(1,'pictures','pictures','pictures/',NULL,NULL,NULL,NULL,NULL,NULL,3,3,12,8,NULL,NULL,'auto',NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-27T07:21:10+00:00');
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
INSERT INTO "frames" VALUES(1,0,NULL,'0.png','a',12399391,78.993375,X'9B55209B5520C8281EC8281EC8281EC8281EC8281EC8281E');
INSERT INTO "frames" VALUES(1,1,NULL,'1.png','a',8663904,71.77275,X'6E55556E55558C28648C28648C28648C28648C28648C2864');
INSERT INTO "frames" VALUES(1,2,NULL,'2.png','a',4993954,64.552125,X'41558A41558A5028AA5028AA5028AA5028AA5028AA5028AA');
CREATE TABLE metadata (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "metadata" VALUES('engine','numba');
INSERT INTO "metadata" VALUES('made_at','2026-11-27T07:21:10+00:00');
INSERT INTO "metadata" VALUES('settings','{"cluster.n_colors": 1, "cluster.accents": 1}');
INSERT INTO "metadata" VALUES('version/av','18.1.0');
INSERT INTO "metadata" VALUES('version/numba','0.68.1');
INSERT INTO "metadata" VALUES('version/numpy','2.4.6');
INSERT INTO "metadata" VALUES('version/opencv-python-headless','5.0.0.93');
INSERT INTO "metadata" VALUES('version/pillow','13.0.0');
INSERT INTO "metadata" VALUES('version/reelbow','0.2.0');
INSERT INTO "metadata" VALUES('version/scikit-learn','1.9.1');
INSERT INTO "metadata" VALUES('version/simplejpeg','1.9.0');
INSERT INTO "metadata" VALUES('rows','sha256:e23a545967d4f0a702ef7478ac88b30e89f9cdcf13f570f8bc9f6823d41e0356');
CREATE TABLE palettes (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- sums to 1 over a frame
    accent INTEGER NOT NULL,   -- 1: small but striking, added to the others; 0: not
    PRIMARY KEY (film_id, frame, rank)
) STRICT, WITHOUT ROWID;
INSERT INTO "palettes" VALUES(1,0,0,12399391,1.0,0);
INSERT INTO "palettes" VALUES(1,1,0,8663904,1.0,0);
INSERT INTO "palettes" VALUES(1,2,0,4993954,1.0,0);
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
INSERT INTO "shards" VALUES(1,'a','numba','0.68.1',NULL,'pictures/a.tar','sha256/chunks:434e68232f3795bc99f3a8b24512bf163c0b52651bbd1e00e497507ce14f63ba','2026-11-27T07:21:10+00:00',NULL);
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
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 0) AS hex0,
    (SELECT printf('#%06x', color) FROM palettes AS p WHERE p.film_id = f.film_id AND p.frame = f.frame AND p.rank = 1) AS hex1
FROM frames AS f JOIN films USING (film_id) ORDER BY f.film_id, f.frame;
COMMIT;
