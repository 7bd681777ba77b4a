// MusicIO
