"""Who people are, what lets them and their programs in, and what is kept of them."""
