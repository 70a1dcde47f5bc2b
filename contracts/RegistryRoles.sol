// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Ownable.sol";
import "./Pausable.sol";

/// Who may change the market: fee manager, window manager, deprecators, arbiter managers, and the list of arbiters.
/// The owner appoints them all and holds the first three offices until it does. Refusals carry no reason.
abstract contract RegistryRoles is Ownable, Pausable {
    uint256 public bountyFee;
    uint256 public assertionFee;
    /// Blocks after expiration in which assertions are revealed.
    uint256 public assertionRevealWindow;
    /// Blocks after the reveal window in which arbiters vote.
    uint256 public arbiterVoteWindow;

    /// Zero while the registry takes bounties.
    uint256 public deprecatedBlock;
    /// Whether the arbiters' stakes stay where they are for a successor.
    bool public rollover;

    uint256 public arbiterCount;
    mapping(address => bool) public isArbiter;
    mapping(address => bool) public isArbiterManager;
    mapping(address => bool) public isDeprecator;

    address private feeManager;
    address private windowManager;

    event FeesUpdated(uint256 bountyFee, uint256 assertionFee);
    event WindowsUpdated(uint256 assertionRevealWindow, uint256 arbiterVoteWindow);
    event NewFeeManager(address indexed previousManager, address indexed newManager);
    event NewWindowManager(address indexed previousManager, address indexed newManager);
    event Deprecated(bool rollover);
    event Undeprecated();
    event DeprecatorAdded(address indexed account);
    event DeprecatorRemoved(address indexed account);
    event AddedArbiter(address indexed account, uint256 blockNumber);
    event RemovedArbiter(address indexed account, uint256 blockNumber);
    event ArbiterManagerAdded(address indexed account);
    event ArbiterManagerRemoved(address indexed account);

    constructor() {
        _setFeeManager(msg.sender);
        _setWindowManager(msg.sender);
        _addDeprecator(msg.sender);
    }

    modifier onlyArbiter() {
        require(isArbiter[msg.sender]);
        _;
    }

    modifier onlyArbiterManager() {
        require(isArbiterManager[msg.sender]);
        _;
    }

    modifier whenNotDeprecated() {
        require(deprecatedBlock == 0);
        _;
    }

    // Fees and windows. Every later call uses the new values, also for bounties already in flight.

    function setBountyFee(uint256 newBountyFee) external {
        require(msg.sender == feeManager);
        bountyFee = newBountyFee;
        emit FeesUpdated(bountyFee, assertionFee);
    }

    function setAssertionFee(uint256 newAssertionFee) external {
        require(msg.sender == feeManager);
        assertionFee = newAssertionFee;
        emit FeesUpdated(bountyFee, assertionFee);
    }

    function setWindows(uint256 newAssertionRevealWindow, uint256 newArbiterVoteWindow) external {
        require(msg.sender == windowManager);
        assertionRevealWindow = newAssertionRevealWindow;
        arbiterVoteWindow = newArbiterVoteWindow;
        emit WindowsUpdated(newAssertionRevealWindow, newArbiterVoteWindow);
    }

    function setFeeManager(address newFeeManager) external onlyOwner {
        _setFeeManager(newFeeManager);
    }

    function setWindowManager(address newWindowManager) external onlyOwner {
        _setWindowManager(newWindowManager);
    }

    function _setFeeManager(address newFeeManager) private {
        emit NewFeeManager(feeManager, newFeeManager);
        feeManager = newFeeManager;
    }

    function _setWindowManager(address newWindowManager) private {
        emit NewWindowManager(windowManager, newWindowManager);
        windowManager = newWindowManager;
    }

    // Deprecation stops new bounties and nothing else.

    function deprecate(bool _rollover) external whenNotDeprecated {
        require(isDeprecator[msg.sender]);
        deprecatedBlock = block.number;
        rollover = _rollover;
        emit Deprecated(_rollover);
    }

    function undeprecate() external {
        require(isDeprecator[msg.sender] && deprecatedBlock != 0);
        deprecatedBlock = 0;
        rollover = false;
        emit Undeprecated();
    }

    function addDeprecator(address account) external onlyOwner {
        _addDeprecator(account);
    }

    function removeDeprecator(address account) external onlyOwner {
        require(isDeprecator[account]);
        isDeprecator[account] = false;
        emit DeprecatorRemoved(account);
    }

    function _addDeprecator(address account) private {
        require(account != address(0) && !isDeprecator[account]);
        isDeprecator[account] = true;
        emit DeprecatorAdded(account);
    }

    // Arbiters.

    function addArbiterManager(address account) external onlyOwner {
        require(account != address(0) && !isArbiterManager[account]);
        isArbiterManager[account] = true;
        emit ArbiterManagerAdded(account);
    }

    function removeArbiterManager(address account) external onlyOwner {
        require(isArbiterManager[account]);
        isArbiterManager[account] = false;
        emit ArbiterManagerRemoved(account);
    }

    function addArbiter(address account, uint256 blockNumber) external onlyArbiterManager {
        require(account != address(0) && !isArbiter[account]);
        isArbiter[account] = true;
        arbiterCount++;
        emit AddedArbiter(account, blockNumber);
    }

    function removeArbiter(address account, uint256 blockNumber) external onlyArbiterManager {
        require(isArbiter[account]);
        isArbiter[account] = false;
        arbiterCount--;
        emit RemovedArbiter(account, blockNumber);
    }
}
