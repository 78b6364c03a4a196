"""IET-AGC itself: members, the gate on the loss, redistribution, and training over processes."""
