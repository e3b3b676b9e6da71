"""Images larger than memory: OME-Zarr and tiled TIFF in, OME-Zarr out.

zarr loads with the first image.
"""
