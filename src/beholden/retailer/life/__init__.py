"""What happens on a day, log by log; each function of (world, day) gives the day's events whatever other days hold."""
