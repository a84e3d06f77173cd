"""What people send to the console, by room: filters as an address carries them, and what is to be kept."""
