"""Media: yt-dlp's extractors and post-processors on this engine; imported only where media are asked for."""
