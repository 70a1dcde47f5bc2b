// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./NectarToken.sol";
import "./Ownable.sol";
import "./Pausable.sol";

/// What the staking contract asks of the registry it serves.
interface StakedRegistry {
    function isArbiter(address account) external view returns (bool);
    function deprecatedBlock() external view returns (uint256);
    function rollover() external view returns (bool);
    function MAX_DURATION() external view returns (uint256);
    function assertionRevealWindow() external view returns (uint256);
    function arbiterVoteWindow() external view returns (uint256);
}

/// Holds the arbiters' long-term stakes and counts who voted on what.
contract ArbiterStaking is Ownable, Pausable {
    struct Deposit {
        uint256 blockNumber;
        uint256 value;
    }

    string public constant VERSION = "1.2.1";
    uint256 public constant MINIMUM_STAKE = 10_000_000 ether;
    uint256 public constant MAXIMUM_STAKE = 100_000_000 ether;
    uint8 public constant VOTE_RATIO_NUMERATOR = 9;
    uint8 public constant VOTE_RATIO_DENOMINATOR = 10;
    uint256 private constant BOUNTIES_BEFORE_RATIO_COUNTS = 10;

    /// Blocks that a deposit stays locked.
    uint256 public stakeDuration;
    uint256 public numBounties;
    mapping(uint128 => bool) public bounties;
    mapping(address => uint256) public bountyResponses;
    mapping(uint128 => mapping(address => bool)) public bountyResponseByGuidAndAddress;

    NectarToken private token;
    StakedRegistry private registry;
    /// Oldest first.
    mapping(address => Deposit[]) private depositsOf;

    event NewDeposit(address indexed from, uint256 value);
    event NewWithdrawal(address indexed to, uint256 value);
    event BountyRecorded(uint128 indexed guid, uint256 blockNumber);
    event BountyVoteRecorded(address arbiter);

    constructor(address _token, uint256 _stakeDuration) {
        token = NectarToken(_token);
        stakeDuration = _stakeDuration;
    }

    function setBountyRegistry(address _bountyRegistry) external onlyOwner {
        registry = StakedRegistry(_bountyRegistry);
    }

    function deposit(uint256 value) external whenNotPaused {
        _deposit(msg.sender, value);
    }

    /// The other way in: NectarToken.approveAndCall.
    function receiveApproval(address _from, uint256 _value, address _tokenContract, bytes calldata)
        external
        whenNotPaused
        returns (bool)
    {
        bool fromToken = msg.sender == address(token) && _tokenContract == address(token);
        require(fromToken, "Must be called from the token.");
        _deposit(_from, _value);
        return true;
    }

    function _deposit(address from, uint256 value) private {
        require(registry.isArbiter(from), "Deposit target is not an arbiter");
        require(value > 0, "Zero value being deposited");
        require(value <= MAXIMUM_STAKE && balanceOf(from) + value <= MAXIMUM_STAKE, "Value greater than maximum stake");
        require(token.transferFrom(from, address(this), value));
        depositsOf[from].push(Deposit(block.number, value));
        emit NewDeposit(from, value);
    }

    /// Takes the oldest deposits first; what is left of the last one touched keeps its age.
    function withdraw(uint256 value) external whenNotPaused {
        Deposit[] storage held = depositsOf[msg.sender];
        require(held.length > 0, "Cannot withdraw without some deposits.");
        require(value <= withdrawableBalanceOf(msg.sender), "Value exceeds withdrawable balance");

        uint256 rest = value;
        uint256 spent = 0;
        while (rest > 0 && held[spent].value <= rest) {
            rest -= held[spent].value;
            spent++;
        }
        if (rest > 0) held[spent].value -= rest;
        for (uint256 i = spent; i < held.length; i++) held[i - spent] = held[i];
        for (uint256 i = 0; i < spent; i++) held.pop();

        require(token.transfer(msg.sender, value));
        emit NewWithdrawal(msg.sender, value);
    }

    function balanceOf(address addr) public view returns (uint256 total) {
        Deposit[] storage held = depositsOf[addr];
        for (uint256 i = 0; i < held.length; i++) total += held[i].value;
    }

    function withdrawableBalanceOf(address addr) public view returns (uint256 total) {
        if (isDeprecateFinished()) return balanceOf(addr);
        Deposit[] storage held = depositsOf[addr];
        for (uint256 i = 0; i < held.length && held[i].blockNumber + stakeDuration <= block.number; i++) {
            total += held[i].value;
        }
    }

    /// Beyond the end fails like an array access of Solidity 0.5, with an invalid opcode.
    function deposits(address addr, uint256 index) external view returns (uint256 blockNumber, uint256 value) {
        Deposit[] storage held = depositsOf[addr];
        if (index >= held.length) {
            assembly {
                invalid()
            }
        }
        return (held[index].blockNumber, held[index].value);
    }

    /// The registry was given up without a successor, and its last bounty can have ended.
    function isDeprecateFinished() public view returns (bool) {
        if (address(registry) == address(0)) return false;
        uint256 since = registry.deprecatedBlock();
        if (since == 0 || registry.rollover()) return false;
        uint256 tail = registry.MAX_DURATION() + registry.assertionRevealWindow() + registry.arbiterVoteWindow();
        return block.number >= since + tail;
    }

    function isEligible(address addr) external view returns (bool) {
        if (balanceOf(addr) < MINIMUM_STAKE) return false;
        (uint256 num, uint256 den) = arbiterResponseRate(addr);
        if (den < BOUNTIES_BEFORE_RATIO_COUNTS) return true;
        return (num * VOTE_RATIO_DENOMINATOR) / den >= VOTE_RATIO_NUMERATOR;
    }

    function arbiterResponseRate(address arbiter) public view returns (uint256 num, uint256 den) {
        return (bountyResponses[arbiter], numBounties);
    }

    /// Called by the registry with every vote.
    function recordBounty(address arbiter, uint128 bountyGuid, uint256 blockNumber) external {
        require(msg.sender == address(registry));
        if (!bounties[bountyGuid]) {
            bounties[bountyGuid] = true;
            numBounties++;
            emit BountyRecorded(bountyGuid, blockNumber);
        }
        if (!bountyResponseByGuidAndAddress[bountyGuid][arbiter]) {
            bountyResponseByGuidAndAddress[bountyGuid][arbiter] = true;
            bountyResponses[arbiter]++;
            emit BountyVoteRecorded(arbiter);
        }
    }
}
