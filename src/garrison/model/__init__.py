"""The words every part of Garrison speaks: plain values, no input or output, no clock."""
