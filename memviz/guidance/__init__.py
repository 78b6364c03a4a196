"""The published remedies that change more than the scale, one file each."""
