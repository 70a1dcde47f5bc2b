// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./ArbiterStaking.sol";
import "./NectarToken.sol";
import "./RegistryRoles.sol";

/// The market. A bounty lives through rounds that follow from its expiration block E, the reveal window R and the vote
/// window V (all read live, so that changing a window moves bounties in flight):
///
///   0 assert   block < E            experts escrow bids and commit to verdicts
///   1 reveal   block < E + R        experts open their commitments
///   2 vote     block < E + R + V    arbiters vote the truth
///   3 quorum   the same, once the votes decide; everybody but arbiters may settle
///   4 settle   from E + R + V on    each participant is paid when it settles, once
///
/// In bit sets (mask, verdicts, votes) bit i, least significant first, is artifact i.
contract BountyRegistry is RegistryRoles {
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
    uint256 private constant MAX_ARTIFACTS = 256;
    uint256 private constant MAX_ARTIFACT_TYPE = 1;

    ArbiterStaking public staking;
    mapping(uint128 => Bounty) public bountiesByGuid;
    /// By assertion, then by position in its bid list.
    mapping(uint128 => mapping(uint256 => mapping(uint256 => uint256))) public assertionBidByGuid;
    /// Malicious votes by artifact, no longer counted once the artifact has quorum.
    mapping(uint128 => mapping(uint256 => uint256)) public quorumVotesByGuid;
    /// How often exactly this set of votes was cast.
    mapping(uint256 => mapping(uint256 => uint256)) public voteCountByGuid;
    mapping(uint256 => mapping(address => bool)) public arbiterVoteRegistryByGuid;
    mapping(uint256 => mapping(address => bool)) public expertAssertionRegistryByGuid;
    mapping(uint128 => mapping(address => bool)) public bountySettled;

    NectarToken private token;
    uint128[] private guids;
    mapping(uint128 => uint256[8]) private blooms;
    mapping(uint128 => Assertion[]) private assertionsOf;
    mapping(uint128 => Vote[]) private votesOf;

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

    constructor(address _token, address _staking, uint256 _arbiterVoteWindow, uint256 _assertionRevealWindow) {
        token = NectarToken(_token);
        staking = ArbiterStaking(_staking);
        arbiterVoteWindow = _arbiterVoteWindow;
        assertionRevealWindow = _assertionRevealWindow;
        bountyFee = DEFAULT_BOUNTY_FEE;
        assertionFee = DEFAULT_ASSERTION_FEE;
    }

    // What participants do

    function postBounty(
        uint128 guid,
        uint256 artifactType,
        uint256 amount,
        string calldata artifactURI,
        uint256 numArtifacts,
        uint256 durationBlocks,
        uint256[8] calldata bloom,
        string calldata metadata
    ) external whenNotPaused whenNotDeprecated {
        Bounty storage bounty = bountiesByGuid[guid];
        require(bounty.author == address(0), "GUID already in use");
        require(
            bytes(artifactURI).length > 0 && numArtifacts > 0 && numArtifacts <= MAX_ARTIFACTS
                && artifactType <= MAX_ARTIFACT_TYPE,
            "Invalid artifact parameters"
        );
        require(durationBlocks > 0 && durationBlocks <= MAX_DURATION, "Invalid bounty duration");
        require(amount >= BOUNTY_AMOUNT_MINIMUM * numArtifacts, "Amount below minimum for number of artifacts");
        _escrow(amount, bountyFee);

        bounty.guid = guid;
        bounty.artifactType = uint8(artifactType);
        bounty.author = msg.sender;
        bounty.amount = amount;
        bounty.artifactURI = artifactURI;
        bounty.numArtifacts = numArtifacts;
        bounty.expirationBlock = block.number + durationBlocks;
        bounty.metadata = metadata;
        blooms[guid] = bloom;
        guids.push(guid);
        _announce(bounty);
    }

    function postAssertion(uint128 bountyGuid, uint256[] calldata bid, uint256 mask, uint256 commitment)
        external
        whenNotPaused
    {
        require(getCurrentRound(bountyGuid) == 0, "Bounty inactive");
        require(bid.length == _countBits(mask), "Bid does not match mask count");
        require(!expertAssertionRegistryByGuid[bountyGuid][msg.sender], "Sender has already asserted");
        uint256 total = 0;
        for (uint256 i = 0; i < bid.length; i++) {
            require(
                bid[i] >= ASSERTION_BID_ARTIFACT_MINIMUM && bid[i] <= ASSERTION_BID_ARTIFACT_MAXIMUM,
                "Bid not between min & max"
            );
            total += bid[i];
        }
        _escrow(total, assertionFee);

        uint256 index = assertionsOf[bountyGuid].length;
        expertAssertionRegistryByGuid[bountyGuid][msg.sender] = true;
        assertionsOf[bountyGuid].push(Assertion(msg.sender, mask, commitment, 0, 0, ""));
        for (uint256 i = 0; i < bid.length; i++) assertionBidByGuid[bountyGuid][index][i] = bid[i];
        uint256 numArtifacts = bountiesByGuid[bountyGuid].numArtifacts;
        emit NewAssertion(bountyGuid, msg.sender, index, bid, mask, numArtifacts, commitment);
    }

    function revealAssertion(
        uint128 bountyGuid,
        uint256 assertionId,
        uint256 nonce,
        uint256 verdicts,
        string calldata metadata
    ) external whenNotPaused {
        require(getCurrentRound(bountyGuid) == 1, "Bounty not in reveal window");
        require(nonce != 0, "Invalid nonce");
        require(assertionId < assertionsOf[bountyGuid].length, "Invalid assertion ID");
        Assertion storage assertion = assertionsOf[bountyGuid][assertionId];
        require(assertion.author == msg.sender, "Incorrect assertion author");
        require(assertion.nonce == 0, "Bounty already revealed");
        require(assertion.commitment == _commit(msg.sender, nonce, verdicts), "Commitment hash mismatch");

        assertion.nonce = nonce;
        assertion.verdicts = verdicts;
        assertion.metadata = metadata;
        uint256 numArtifacts = bountiesByGuid[bountyGuid].numArtifacts;
        emit RevealedAssertion(bountyGuid, msg.sender, assertionId, nonce, verdicts, numArtifacts, metadata);
    }

    function voteOnBounty(uint128 bountyGuid, uint256 votes, bool validBloom) external onlyArbiter whenNotPaused {
        uint256 round = getCurrentRound(bountyGuid);
        require(round == 2 || round == 3, "Bounty not in voting window");
        require(!arbiterVoteRegistryByGuid[bountyGuid][msg.sender], "Arbiter has already voted");

        arbiterVoteRegistryByGuid[bountyGuid][msg.sender] = true;
        voteCountByGuid[bountyGuid][votes]++;
        votesOf[bountyGuid].push(Vote(msg.sender, votes, validBloom));
        staking.recordBounty(msg.sender, bountyGuid, block.number);

        Bounty storage bounty = bountiesByGuid[bountyGuid];
        bool decided = _count(bounty, votes);
        if (!bounty.quorumReached && (decided || votesOf[bountyGuid].length == arbiterCount)) {
            bounty.quorumReached = true;
            bounty.quorumBlock = block.number - bounty.expirationBlock;
            emit QuorumReached(bountyGuid);
        }
        emit NewVote(bountyGuid, votes, bounty.numArtifacts, msg.sender);
    }

    function settleBounty(uint128 bountyGuid) external whenNotPaused {
        Bounty storage bounty = bountiesByGuid[bountyGuid];
        require(bounty.author != address(0), "Bounty not initialized");
        require(!bountySettled[bountyGuid][msg.sender], "Sender already settled");
        uint256 round = getCurrentRound(bountyGuid);
        require(round >= 3, "No Quorum and vote active");
        if (isArbiter[msg.sender]) {
            require(round == 4, "Voting round still active");
            if (bounty.assignedArbiter == address(0)) bounty.assignedArbiter = _chooseArbiter(bounty);
        }
        bountySettled[bountyGuid][msg.sender] = true;

        (uint256 refund, uint256 arbiterReward, uint256[] memory rewards) = _rewards(bounty);
        uint256 payout = 0;
        if (bounty.author == msg.sender) payout += _pay(refund);
        for (uint256 i = 0; i < rewards.length; i++) {
            if (assertionsOf[bountyGuid][i].author == msg.sender) payout += _pay(rewards[i]);
        }
        if (bounty.assignedArbiter == msg.sender) payout += _pay(arbiterReward);
        emit SettledBounty(bountyGuid, msg.sender, payout);
    }

    // Views

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

    function getBids(uint128 bountyGuid, uint256 assertionId) external view returns (uint256[] memory bids) {
        uint256 length = assertionsOf[bountyGuid].length;
        require(assertionId <= length);
        if (assertionId == length) _invalid();
        bids = new uint256[](_countBits(assertionsOf[bountyGuid][assertionId].mask));
        for (uint256 i = 0; i < bids.length; i++) bids[i] = assertionBidByGuid[bountyGuid][assertionId][i];
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

    /// Who posted the most of the last ARBITER_LOOKBACK_RANGE bounties, most active first.
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
            for (uint256 i = 1; i < found; i++) if (posted[i] > posted[best]) best = i;
            candidates[rank] = authors[best];
            posted[best] = 0;
        }
    }

    /// The deployed registry answers two empty lists, whoever voted; so does this one.
    function getActiveArbiters() external view returns (address[] memory, bool[] memory) {
        require(guids.length > 0, "No bounties have been placed");
        return (new address[](0), new bool[](0));
    }

    // Money

    /// Reverts without a reason when allowance or balance is below `amount + fee`.
    function _escrow(uint256 amount, uint256 fee) private {
        require(amount <= type(uint256).max - fee);
        require(token.transferFrom(msg.sender, address(this), amount + fee));
    }

    function _pay(uint256 amount) private returns (uint256) {
        if (amount > 0) require(token.transfer(msg.sender, amount));
        return amount;
    }

    /// What is due to ambassador, arbiter and each assertion, from the fees as they are now.
    function _rewards(Bounty storage bounty)
        private
        view
        returns (uint256 refund, uint256 arbiterReward, uint256[] memory rewards)
    {
        Assertion[] storage assertions = assertionsOf[bounty.guid];
        bool voted = votesOf[bounty.guid].length > 0;
        rewards = new uint256[](assertions.length);

        if (assertions.length == 0) {
            if (voted) return (bounty.amount, bountyFee, rewards);
            return (bounty.amount + bountyFee, 0, rewards);
        }

        uint256 pot = bounty.amount + bountyFee + assertions.length * assertionFee;
        uint256[][] memory bids = new uint256[][](assertions.length);
        for (uint256 j = 0; j < assertions.length; j++) {
            bids[j] = new uint256[](_countBits(assertions[j].mask));
            for (uint256 n = 0; n < bids[j].length; n++) {
                bids[j][n] = assertionBidByGuid[bounty.guid][j][n];
                pot += bids[j][n];
            }
        }

        if (voted) {
            for (uint256 i = 0; i < bounty.numArtifacts; i++) refund += _rewardArtifact(bounty, i, bids, rewards);
        } else {
            refund = bountyFee;
            _refundExperts(bounty, bids, rewards);
        }

        // Fees, rounding dust, bids that nobody won and bids beyond the last artifact.
        arbiterReward = pot - refund;
        for (uint256 j = 0; j < rewards.length; j++) {
            require(rewards[j] <= arbiterReward);
            arbiterReward -= rewards[j];
        }
    }

    /// No votes: bids and fees come back, and every bid earns one expert's share of the artifact's portion.
    function _refundExperts(Bounty storage bounty, uint256[][] memory bids, uint256[] memory rewards) private view {
        uint256 share = bounty.amount / bounty.numArtifacts / bids.length;
        for (uint256 j = 0; j < bids.length; j++) {
            rewards[j] = assertionFee;
            for (uint256 n = 0; n < bids[j].length; n++) rewards[j] += bids[j][n] + share;
        }
    }

    /// Adds to `rewards` what artifact `i` earns the experts; returns what goes back to the ambassador. The right ones
    /// share the wrong ones' bids and the artifact's portion of the amount in proportion to their own bids.
    function _rewardArtifact(
        Bounty storage bounty,
        uint256 i,
        uint256[][] memory bids,
        uint256[] memory rewards
    ) private view returns (uint256) {
        Assertion[] storage assertions = assertionsOf[bounty.guid];
        uint256 portion = bounty.amount / bounty.numArtifacts;
        uint256[] memory won = new uint256[](bids.length);
        uint256 right = 0;
        uint256 wrong = 0;
        {
            bool malicious = _consensus(bounty.guid, i);
            for (uint256 j = 0; j < bids.length; j++) {
                uint256 mask = assertions[j].mask;
                if (!_hasBit(mask, i)) continue;
                uint256 bid = bids[j][_countBits(mask & ((1 << i) - 1))];
                if (assertions[j].nonce != 0 && _hasBit(assertions[j].verdicts, i) == malicious) {
                    won[j] = bid;
                    right += bid;
                } else {
                    wrong += bid;
                }
            }
        }
        if (right == 0) return wrong == 0 ? portion : 0;
        for (uint256 j = 0; j < bids.length; j++) {
            rewards[j] += won[j] + (won[j] * wrong) / right + (won[j] * portion) / right;
        }
        return 0;
    }

    // Votes

    /// A tie is malicious.
    function _consensus(uint128 guid, uint256 i) private view returns (bool) {
        uint256 malicious = quorumVotesByGuid[guid][i];
        return malicious >= votesOf[guid].length - malicious;
    }

    /// Counts a vote that is already on the list; true when every artifact has quorum.
    function _count(Bounty storage bounty, uint256 votes) private returns (bool) {
        uint256 cast = votesOf[bounty.guid].length;
        uint256 decided = bounty.quorumMask;
        bool all = true;
        for (uint256 i = 0; i < bounty.numArtifacts; i++) {
            if (_hasBit(decided, i)) continue;
            if (_hasBit(votes, i)) quorumVotesByGuid[bounty.guid][i]++;
            uint256 malicious = quorumVotesByGuid[bounty.guid][i];
            uint256 benign = cast - malicious;
            // Sums instead of differences: the arbiter list may have shrunk below the votes cast.
            if (2 * malicious >= arbiterCount || 2 * benign > arbiterCount) decided |= 1 << i;
            else all = false;
        }
        bounty.quorumMask = decided;
        return all;
    }

    /// While the hash of the vote window's last block can be read, a lot weighted by stake; afterwards whoever asks.
    function _chooseArbiter(Bounty storage bounty) private view returns (address) {
        uint256 voteEnd = bounty.expirationBlock + assertionRevealWindow + arbiterVoteWindow;
        if (block.number > voteEnd + VALID_HASH_PERIOD) return msg.sender;

        Vote[] storage votes = votesOf[bounty.guid];
        if (votes.length == 0) return address(0);
        uint256 total = 0;
        for (uint256 i = 0; i < votes.length; i++) total += staking.balanceOf(votes[i].author);
        if (total == 0) _invalid();

        uint256 lot = uint256(keccak256(abi.encodePacked(blockhash(voteEnd), block.number))) % total;
        uint256 reached = 0;
        for (uint256 i = 0; i < votes.length; i++) {
            reached += staking.balanceOf(votes[i].author);
            if (reached >= lot) return votes[i].author;
        }
        return address(0);
    }

    // Bits and hashes

    /// Binds the sender to its verdicts: the address keeps others from copying the commitment.
    function _commit(address account, uint256 nonce, uint256 verdicts) private pure returns (uint256) {
        uint256 hidden = verdicts ^ uint256(keccak256(abi.encodePacked(nonce))) ^ uint256(uint160(account));
        return uint256(keccak256(abi.encodePacked(hidden)));
    }

    function _hasBit(uint256 bits, uint256 i) private pure returns (bool) {
        return (bits >> i) & 1 == 1;
    }

    function _countBits(uint256 bits) private pure returns (uint256 count) {
        for (; bits > 0; bits &= bits - 1) count++;
    }

    /// Fails as an array access out of range did in Solidity 0.5, burning all gas.
    function _invalid() private pure {
        assembly {
            invalid()
        }
    }

    function _announce(Bounty storage b) private {
        emit NewBounty(
            b.guid, b.artifactType, b.author, b.amount, b.artifactURI, b.expirationBlock, b.metadata
        );
    }
}
