"""What runs, waits and has ended below a folder, who does it, and when it will be done: what convexp-status shows."""
