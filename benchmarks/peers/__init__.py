"""Peers of Surefoot, the data they share, and the benchmark that compares them."""
