"""Reproductions of IET-AGC on the demo, and how a study joins the bundled demo."""
