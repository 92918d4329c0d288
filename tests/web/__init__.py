"""Tests of the pages: requests in, pages out."""
