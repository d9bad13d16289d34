"""The frames of a shard: its plan, its tarball, its thumbnails, its previews."""
