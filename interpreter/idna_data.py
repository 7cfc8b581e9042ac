"""Facts about Unicode characters that the standard library lacks, for :mod:`eximious.interpreter.idna`.

Ranges of code points in hexadecimal. They were read off the answers of an Exim 4.96 with libidn2 2.3.3, whose
mapping table is that of Unicode 14 and whose IDNA 2008 table that of Unicode 12.
"""

#: assigned in Unicode 13 and 14, and not mapped to anything else
AFTER_UNICODE_12 = (
    "61d 870-88e 898-89f 8b5 8be-8d2 b55 c3c c5d cdd d04 d81 170d 1715 171f 1abf-1ace 1b4c 1b7d-1b7e 1dfa "
    "20c0 2b97 2c5f 2e50-2e5d 31bb-31bf 4db6-4dbf 9ff0-9fff a7c1 a7c8 a7ca a7d1 a7d3 a7d5 a7d7 a7d9 a7f6 "
    "a82c ab68 ab6a-ab6b fbc2 fd40-fd4f fdcf fdfe-fdff 1019c 10597-105a1 105a3-105b1 105b3-105b9 "
    "105bb-105bc 10780 10e80-10ea9 10eab-10ead 10eb0-10eb1 10f70-10f89 10fb0-10fcb 11070-11075 110c2 "
    "11147 111ce-111cf 1145a 11460-11461 116b9 11740-11746 11900-11906 11909 1190c-11913 11915-11916 "
    "11918-11935 11937-11938 1193b-11946 11950-11959 11ab0-11abf 11fb0 12f90-12ff2 16a70-16abe "
    "16ac0-16ac9 16fe4 16ff0-16ff1 18af3-18cd5 18d00-18d08 1aff0-1aff3 1aff5-1affb 1affd-1affe "
    "1b11f-1b122 1cf00-1cf2d 1cf30-1cf46 1cf50-1cfc3 1d1e9-1d1ea 1df00-1df1e 1e290-1e2ae 1e7e0-1e7e6 "
    "1e7e8-1e7eb 1e7ed-1e7ee 1e7f0-1e7fe 1f10d-1f10f 1f16d-1f16f 1f1ad 1f6d6-1f6d7 1f6dd-1f6df "
    "1f6fb-1f6fc 1f7f0 1f8b0-1f8b1 1f90c 1f972 1f977-1f979 1f9a3-1f9a4 1f9ab-1f9ad 1f9cb-1f9cc 1fa74 "
    "1fa7b-1fa7c 1fa83-1fa86 1fa96-1faac 1fab0-1faba 1fac0-1fac5 1fad0-1fad9 1fae0-1fae7 1faf0-1faf6 "
    "1fb00-1fb92 1fb94-1fbca 2a6d7-2a6df 2b735-2b738 30000-3134a"
)

#: assigned in Unicode 15.0 and 15.1: newer interpreters know them
AFTER_UNICODE_14 = (
    "cf3 ece 2ffc-2fff 31ef 10efd-10eff 1123f-11241 11b00-11b09 11f00-11f10 11f12-11f3a 11f3e-11f59 1342f "
    "13439-13455 1b132 1b155 1d2c0-1d2d3 1df25-1df2a 1e030-1e06d 1e08f 1e4d0-1e4f9 1f6dc 1f774-1f776 "
    "1f77b-1f77f 1f7d9 1fa75-1fa77 1fa87-1fa88 1faad-1faaf 1fabb-1fabd 1fabf 1face-1facf 1fada-1fadb "
    "1fae8 1faf7-1faf8 2b739 2ebf0-2ee5d 31350-323af"
)

#: joining types L and D: connected to the character behind (Unicode, ArabicShaping)
JOINS_NEXT = (
    "620 626 628 62a-62e 633-63f 641-647 649-64a 66e-66f 679-687 69a-6bf 6c1-6c2 6cc 6ce 6d0-6d1 6fa-6fc "
    "6ff 712-714 71a-71d 71f-727 729 72b 72d-72e 74e-758 75c-76a 76d-770 772 775-777 77a-77f 7ca-7ea "
    "841-845 848 84a-853 855 860 862-865 868 886 889-88d 8a0-8a9 8af-8b0 8b3-8b8 8ba-8c8 1820-1878 "
    "1887-18a8 18aa a840-a872 10ac0-10ac4 10acd 10ad3-10adc 10ade-10ae0 10b80 10b82 10b86-10b88 "
    "10b8a-10b8b 10b8d 10b90 10d00-10d21 10d23 10f30-10f32 10f34-10f44 10f70-10f73 10f76-10f81 10fb0 "
    "10fb2-10fb3 10fb8 10fbb-10fbc 10fbe-10fbf 10fc1 10fc4 10fca-10fcb 1e922-1e943"
)

#: joining types R and D: connected to the character before
JOINS_PREVIOUS = (
    "620 622-63f 641-64a 66e-66f 671-673 679-6d3 6d5 6ee-6ef 6fa-6fc 6ff 710 712-72f 74d-77f 7ca-7ea "
    "840-858 860 862-865 867-86a 870-882 886 889-88e 8a0-8ac 8ae-8c8 1820-1878 1887-18a8 18aa a840-a871 "
    "10ac0-10ac5 10ac7 10ac9-10aca 10ace-10ad6 10ad8-10ae1 10ae4 10b80-10b91 10d01-10d23 10f30-10f44 "
    "10f70-10f81 10fb0 10fb2-10fb6 10fb8-10fbf 10fc1-10fc4 10fc9-10fca 1e922-1e943"
)
