"""What every door shares: who asks, may they, bytes in, bytes out, and what a refusal looks like."""
