"""What every server is measured with: three models, three pictures, more to check labels with, the answers to expect."""

from benchmarks.assets.build import Assets, Expected, prepare_assets

__all__ = ["Assets", "Expected", "prepare_assets"]
