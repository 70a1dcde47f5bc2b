// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./BountyRewards.sol";

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
contract BountyRegistry is BountyRewards {
    constructor(address _token, address _staking, uint256 _arbiterVoteWindow, uint256 _assertionRevealWindow) {
        token = NectarToken(_token);
        staking = ArbiterStaking(_staking);
        arbiterVoteWindow = _arbiterVoteWindow;
        assertionRevealWindow = _assertionRevealWindow;
        bountyFee = DEFAULT_BOUNTY_FEE;
        assertionFee = DEFAULT_ASSERTION_FEE;
    }

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
        require(bid.length == Bits.count(mask), "Bid does not match mask count");
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
        bidsOf[bountyGuid].push(bid);
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

    /// Reverts without a reason when allowance or balance is below `amount + fee`.
    function _escrow(uint256 amount, uint256 fee) private {
        require(amount <= type(uint256).max - fee);
        require(token.transferFrom(msg.sender, address(this), amount + fee));
    }

    function _pay(uint256 amount) private returns (uint256) {
        if (amount > 0) require(token.transfer(msg.sender, amount));
        return amount;
    }

    /// Counts a vote that is already on the list; true when every artifact has quorum.
    function _count(Bounty storage bounty, uint256 votes) private returns (bool) {
        uint256 cast = votesOf[bounty.guid].length;
        uint256 decided = bounty.quorumMask;
        bool all = true;
        for (uint256 i = 0; i < bounty.numArtifacts; i++) {
            if (Bits.has(decided, i)) continue;
            if (Bits.has(votes, i)) quorumVotesByGuid[bounty.guid][i]++;
            uint256 malicious = quorumVotesByGuid[bounty.guid][i];
            uint256 benign = cast - malicious;
            // Sums instead of differences: the arbiter list may have shrunk below the votes cast.
            if (2 * malicious >= arbiterCount || 2 * benign > arbiterCount) decided |= 1 << i;
            else all = false;
        }
        bounty.quorumMask = decided;
        return all;
    }

    /// Binds the sender to its verdicts: the address keeps others from copying the commitment.
    function _commit(address account, uint256 nonce, uint256 verdicts) private pure returns (uint256) {
        uint256 hidden = verdicts ^ uint256(keccak256(abi.encodePacked(nonce))) ^ uint256(uint160(account));
        return uint256(keccak256(abi.encodePacked(hidden)));
    }

    function _announce(Bounty storage b) private {
        emit NewBounty(
            b.guid, b.artifactType, b.author, b.amount, b.artifactURI, b.expirationBlock, b.metadata
        );
    }
}
