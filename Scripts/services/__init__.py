"""Many services behind one gateway, with moto (https://docs.getmoto.org) in place of AWS."""
