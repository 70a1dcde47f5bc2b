// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./ArbiterStaking.sol";
import "./Bits.sol";
import "./NectarToken.sol";
import "./RegistryRoles.sol";

/// What the market remembers, says and shows.
abstract contract BountyStore is RegistryRoles {
    struct Bounty {
        uint128 guid;
        uint8 artifactType;
        address author;
        uint256 amount;
        string artifactURI;
        uint256 numArtifacts;
        uint256 expirationBlock;
        address assignedArbiter;
        bool quorumReached;
        /// Blocks from expiration to quorum, not a block number.
        uint256 quorumBlock;
        uint256 quorumMask;
        string metadata;
    }

    struct Assertion {
        address author;
        uint256 mask;
        uint256 commitment;
        /// Zero until revealed.
        uint256 nonce;
        uint256 verdicts;
        string metadata;
    }

    struct Vote {
        address author;
        uint256 votes;
        bool validBloom;
    }

    string public constant VERSION = "1.6.1";
    uint256 public constant BOUNTY_AMOUNT_MINIMUM = 2 ether;
    uint256 public constant ASSERTION_BID_ARTIFACT_MINIMUM = 1 ether / 16;
    uint256 public constant ASSERTION_BID_ARTIFACT_MAXIMUM = 1 ether;
    uint256 public constant DEFAULT_BOUNTY_FEE = 1 ether / 16;
    uint256 public constant DEFAULT_ASSERTION_FEE = 1 ether / 32;
    uint256 public constant MAX_DURATION = 100;
    /// Blocks for which a block hash stays readable, and so for which the paying arbiter is drawn by lot.
    uint256 public constant VALID_HASH_PERIOD = 256;
    uint256 public constant PAGE_SIZE = 25;
    uint256 public constant ARBITER_LOOKBACK_RANGE = 100;
    uint256 internal constant MAX_ARTIFACTS = 256;
    uint256 internal constant MAX_ARTIFACT_TYPE = 1;

    ArbiterStaking public staking;
    mapping(uint128 => Bounty) public bountiesByGuid;
    /// Malicious votes by artifact, no longer counted once the artifact has quorum.
    mapping(uint128 => mapping(uint256 => uint256)) public quorumVotesByGuid;
    /// Part of the ABI, but nothing is ever counted here.
    mapping(uint256 => mapping(uint256 => uint256)) public voteCountByGuid;
    mapping(uint256 => mapping(address => bool)) public arbiterVoteRegistryByGuid;
    mapping(uint256 => mapping(address => bool)) public expertAssertionRegistryByGuid;
    mapping(uint128 => mapping(address => bool)) public bountySettled;

    NectarToken internal token;
    uint128[] internal guids;
    mapping(uint128 => uint256[8]) internal blooms;
    mapping(uint128 => Assertion[]) internal assertionsOf;
    /// By assertion, then by position in its bid list.
    mapping(uint128 => uint256[][]) internal bidsOf;
    mapping(uint128 => Vote[]) internal votesOf;

    event NewBounty(
        uint128 guid,
        uint256 artifactType,
        address author,
        uint256 amount,
        string artifactURI,
        uint256 expirationBlock,
        string metadata
    );
    event NewAssertion(
        uint128 bountyGuid,
        address author,
        uint256 index,
        uint256[] bid,
        uint256 mask,
        uint256 numArtifacts,
        uint256 commitment
    );
    event RevealedAssertion(
        uint128 bountyGuid,
        address author,
        uint256 index,
        uint256 nonce,
        uint256 verdicts,
        uint256 numArtifacts,
        string metadata
    );
    event NewVote(uint128 bountyGuid, uint256 votes, uint256 numArtifacts, address voter);
    event QuorumReached(uint128 bountyGuid);
    event SettledBounty(uint128 bountyGuid, address settler, uint256 payout);

    function getCurrentRound(uint128 bountyGuid) public view returns (uint256) {
        Bounty storage bounty = bountiesByGuid[bountyGuid];
        require(bounty.author != address(0), "Bounty not initialized");
        uint256 revealEnd = bounty.expirationBlock + assertionRevealWindow;
        if (block.number < bounty.expirationBlock) return 0;
        if (block.number < revealEnd) return 1;
        if (block.number < revealEnd + arbiterVoteWindow) return bounty.quorumReached ? 3 : 2;
        return 4;
    }

    function getNumberOfBounties() external view returns (uint256) {
        return guids.length;
    }

    /// Oldest first, PAGE_SIZE at a time; empty beyond the end.
    function getBountyGuids(uint256 page) external view returns (uint128[] memory) {
        uint256 pages = (guids.length + PAGE_SIZE - 1) / PAGE_SIZE;
        if (page >= pages) return new uint128[](0);
        uint256 start = page * PAGE_SIZE;
        uint256 count = guids.length - start < PAGE_SIZE ? guids.length - start : PAGE_SIZE;
        uint128[] memory found = new uint128[](count);
        for (uint256 i = 0; i < count; i++) found[i] = guids[start + i];
        return found;
    }

    function bloomByGuid(uint128 bountyGuid, uint256 word) external view returns (uint256) {
        if (word >= 8) _invalid();
        return blooms[bountyGuid][word];
    }

    function getNumberOfAssertions(uint128 bountyGuid) external view returns (uint256) {
        require(bountiesByGuid[bountyGuid].author != address(0), "Bounty not initialized");
        return assertionsOf[bountyGuid].length;
    }

    function assertionsByGuid(uint128 bountyGuid, uint256 index)
        external
        view
        returns (
            address author,
            uint256 mask,
            uint256 commitment,
            uint256 nonce,
            uint256 verdicts,
            string memory metadata
        )
    {
        if (index >= assertionsOf[bountyGuid].length) _invalid();
        Assertion storage a = assertionsOf[bountyGuid][index];
        return (a.author, a.mask, a.commitment, a.nonce, a.verdicts, a.metadata);
    }

    function getBids(uint128 bountyGuid, uint256 assertionId) external view returns (uint256[] memory) {
        uint256 length = bidsOf[bountyGuid].length;
        require(bountiesByGuid[bountyGuid].author != address(0) && assertionId <= length);
        if (assertionId == length) _invalid();
        return bidsOf[bountyGuid][assertionId];
    }

    function assertionBidByGuid(uint128 bountyGuid, uint256 assertionId, uint256 position)
        external
        view
        returns (uint256)
    {
        uint256[][] storage bids = bidsOf[bountyGuid];
        if (assertionId >= bids.length || position >= bids[assertionId].length) _invalid();
        return bids[assertionId][position];
    }

    function getNumberOfVotes(uint128 bountyGuid) external view returns (uint256) {
        require(bountiesByGuid[bountyGuid].author != address(0), "Bounty not initialized");
        return votesOf[bountyGuid].length;
    }

    function votesByGuid(uint128 bountyGuid, uint256 index)
        external
        view
        returns (address author, uint256 votes, bool validBloom)
    {
        if (index >= votesOf[bountyGuid].length) _invalid();
        Vote storage vote = votesOf[bountyGuid][index];
        return (vote.author, vote.votes, vote.validBloom);
    }

    function getVoters(uint128 bountyGuid) external view returns (address[] memory voters) {
        require(bountiesByGuid[bountyGuid].author != address(0), "Bounty not initialized");
        voters = new address[](votesOf[bountyGuid].length);
        for (uint256 i = 0; i < voters.length; i++) voters[i] = votesOf[bountyGuid][i].author;
    }

    /// Who posted the most of the last ARBITER_LOOKBACK_RANGE bounties, most active first. Each that is named leaves
    /// its place to the last one, which decides who comes first among equals.
    function getArbiterCandidates() external view returns (address[] memory candidates) {
        require(guids.length > 0, "No bounties have been placed");
        uint256 looked = guids.length < ARBITER_LOOKBACK_RANGE ? guids.length : ARBITER_LOOKBACK_RANGE;
        address[] memory authors = new address[](looked);
        uint256[] memory posted = new uint256[](looked);
        uint256 found = 0;
        for (uint256 i = guids.length; i > guids.length - looked; i--) {
            address author = bountiesByGuid[guids[i - 1]].author;
            uint256 slot = 0;
            while (slot < found && authors[slot] != author) slot++;
            if (slot == found) authors[found++] = author;
            posted[slot]++;
        }
        candidates = new address[](found);
        for (uint256 rank = 0; rank < found; rank++) {
            uint256 best = 0;
            uint256 last = found - rank - 1;
            for (uint256 i = 1; i <= last; i++) if (posted[i] > posted[best]) best = i;
            candidates[rank] = authors[best];
            authors[best] = authors[last];
            posted[best] = posted[last];
        }
    }

    /// The deployed registry answers two empty lists, whoever voted; so does this one.
    function getActiveArbiters() external view returns (address[] memory, bool[] memory) {
        require(guids.length > 0, "No bounties have been placed");
        return (new address[](0), new bool[](0));
    }

    /// Fails as an array access out of range did in Solidity 0.5, burning all gas.
    function _invalid() internal pure {
        assembly {
            invalid()
        }
    }
}
