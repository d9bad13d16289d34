"""What every job does around its work: log, whole files, one sentence for a failure."""
