// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Bit sets: bit i, least significant first, is artifact i.
library Bits {
    function has(uint256 bits, uint256 i) internal pure returns (bool) {
        return (bits >> i) & 1 == 1;
    }

    function count(uint256 bits) internal pure returns (uint256 total) {
        for (; bits > 0; bits &= bits - 1) total++;
    }
}
