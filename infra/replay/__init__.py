"""Past incidents, run again from their transcripts."""
