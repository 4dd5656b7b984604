"""Where the guard meets frameworks: only these modules import one."""
