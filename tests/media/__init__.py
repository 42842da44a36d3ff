"""Media: yt-dlp on our engine, beside stock yt-dlp."""
