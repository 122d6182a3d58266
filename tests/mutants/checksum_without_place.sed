# A page's checksum does not cover its number.
# file: src/format/checksum.c
# tests: checksum pages store_damage
s|vs_put_le32(place, page);|vs_put_le32(place, 0 * page);|
