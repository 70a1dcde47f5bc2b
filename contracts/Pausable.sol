// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Pausers can stop everything that changes state. Refusals carry no reason: the marketplace shows them as empty.
abstract contract Pausable {
    mapping(address => bool) public isPauser;
    bool public paused;

    event Paused(address account);
    event Unpaused(address account);
    event PauserAdded(address indexed account);
    event PauserRemoved(address indexed account);

    constructor() {
        _addPauser(msg.sender);
    }

    modifier onlyPauser() {
        require(isPauser[msg.sender]);
        _;
    }

    modifier whenNotPaused() {
        require(!paused);
        _;
    }

    function addPauser(address account) external onlyPauser {
        _addPauser(account);
    }

    function renouncePauser() external {
        require(isPauser[msg.sender]);
        isPauser[msg.sender] = false;
        emit PauserRemoved(msg.sender);
    }

    function pause() external onlyPauser whenNotPaused {
        paused = true;
        emit Paused(msg.sender);
    }

    function unpause() external onlyPauser {
        require(paused);
        paused = false;
        emit Unpaused(msg.sender);
    }

    function _addPauser(address account) private {
        require(account != address(0) && !isPauser[account]);
        isPauser[account] = true;
        emit PauserAdded(account);
    }
}
