"""The Civitai door: requests in, responses out."""
