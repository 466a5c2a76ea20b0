"""What a SQL text reads, writes and names."""
