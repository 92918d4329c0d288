"""The Hugging Face door: requests in, responses out."""
