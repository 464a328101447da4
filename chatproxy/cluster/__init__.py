"""Everything a site of many processes is made of, on loopback, from Debian's programs."""
