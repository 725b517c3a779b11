"""Block devices and images: their contents and holders, and creating, opening and closing volumes on them."""
