"""From a stranger's file to a model package: examined without being run, opened once in confinement, converted, proven."""
