"""What a run tells of itself while it learns: numbers, curves, sample sheets, a bar in the terminal."""
