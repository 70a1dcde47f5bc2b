// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// One account, the deployer at first, that appoints the others.
abstract contract Ownable {
    address public owner;

    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    constructor() {
        owner = msg.sender;
        emit OwnershipTransferred(address(0), msg.sender);
    }

    modifier onlyOwner() {
        require(isOwner());
        _;
    }

    function isOwner() public view returns (bool) {
        return msg.sender == owner;
    }

    function renounceOwnership() external onlyOwner {
        _hand(address(0));
    }

    function transferOwnership(address newOwner) external onlyOwner {
        require(newOwner != address(0));
        _hand(newOwner);
    }

    function _hand(address newOwner) private {
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }
}
