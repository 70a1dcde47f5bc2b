// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./BountyStore.sol";

/// Who is due what when a bounty is settled.
abstract contract BountyRewards is BountyStore {
    /// What is due to ambassador, arbiter and each assertion, from the fees as they are now.
    function _rewards(Bounty storage bounty)
        internal
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
        uint256[][] memory bids = bidsOf[bounty.guid];
        for (uint256 j = 0; j < bids.length; j++) {
            for (uint256 n = 0; n < bids[j].length; n++) pot += bids[j][n];
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
                if (!Bits.has(mask, i)) continue;
                uint256 bid = bids[j][Bits.count(mask & ((1 << i) - 1))];
                if (assertions[j].nonce != 0 && Bits.has(assertions[j].verdicts, i) == malicious) {
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

    /// A tie is malicious.
    function _consensus(uint128 guid, uint256 i) private view returns (bool) {
        uint256 malicious = quorumVotesByGuid[guid][i];
        return malicious >= votesOf[guid].length - malicious;
    }

    /// While the hash of the vote window's last block can be read, a lot weighted by stake; afterwards whoever asks.
    function _chooseArbiter(Bounty storage bounty) internal view returns (address) {
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
}
