"""Networks that learn from pictures: one file and one line each."""

NAMES = (
    "our_plan",
    "vgg16",
    "vgg19",
    "efficientnet",
    "patch_rows",
    "autoencoder",
    "small_cnn",
    "small_cnn_and_gan",
    "belief_network",
    "attention",
)
