"""How an image is cut into patches."""


def patches_across(input_shape: tuple[int, ...], patch_size: int) -> tuple[int, int]:
    """Return the number of patches in each dimension of an image of ``input_shape`` (C, H, W).

    Raises:
        ValueError: If it is no image, or if the patches do not fill it.
    """
    pixels = "x".join(map(str, input_shape[1:]))
    if len(input_shape) != 3:
        raise ValueError(f"takes images; these are signals of {pixels} numbers")
    if any(size % patch_size for size in input_shape[1:]):
        raise ValueError(f"patch_size={patch_size}: does not divide images of {pixels} pixels")
    return input_shape[1] // patch_size, input_shape[2] // patch_size
