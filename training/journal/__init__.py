"""Record the progress of a run: statistics, curves, sample sheets, a progress bar."""
