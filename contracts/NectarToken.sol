// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Ownable.sol";

interface ApprovalReceiver {
    function receiveApproval(address _from, uint256 _value, address _tokenContract, bytes calldata _data)
        external
        returns (bool);
}

/// The ERC-20 that everything is paid in. Nothing moves before the owner enables transfers.
/// Too little balance or allowance reverts without a reason.
contract NectarToken is Ownable {
    string public constant name = "Nectar";
    string public constant symbol = "NCT";
    uint8 public constant decimals = 18;

    uint256 public totalSupply;
    bool public transfersEnabled;
    mapping(address => bool) public isMinter;

    mapping(address => uint256) private balances;
    mapping(address => mapping(address => uint256)) private allowances;

    event TransfersEnabled();
    event MinterAdded(address indexed account);
    event MinterRemoved(address indexed account);
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor() {
        _addMinter(msg.sender);
    }

    modifier onlyMinter() {
        require(isMinter[msg.sender]);
        _;
    }

    modifier whenTransfersEnabled() {
        require(transfersEnabled, "Transfers not enabled");
        _;
    }

    function enableTransfers() external onlyOwner {
        require(!transfersEnabled, "Transfers enabled");
        transfersEnabled = true;
        emit TransfersEnabled();
    }

    function addMinter(address account) external onlyMinter {
        _addMinter(account);
    }

    function renounceMinter() external onlyMinter {
        isMinter[msg.sender] = false;
        emit MinterRemoved(msg.sender);
    }

    function mint(address to, uint256 value) external onlyMinter returns (bool) {
        require(to != address(0));
        totalSupply += value;
        balances[to] += value;
        emit Transfer(address(0), to, value);
        return true;
    }

    function balanceOf(address owner) external view returns (uint256) {
        return balances[owner];
    }

    function allowance(address owner, address spender) external view returns (uint256) {
        return allowances[owner][spender];
    }

    /// Replaces the allowance that was there.
    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    function increaseAllowance(address spender, uint256 addedValue) external returns (bool) {
        _approve(msg.sender, spender, allowances[msg.sender][spender] + addedValue);
        return true;
    }

    function decreaseAllowance(address spender, uint256 subtractedValue) external returns (bool) {
        uint256 current = allowances[msg.sender][spender];
        require(subtractedValue <= current);
        _approve(msg.sender, spender, current - subtractedValue);
        return true;
    }

    /// Approves and tells the spender, which may then pull the amount in the same transaction. The spender's
    /// reason to refuse is not passed on.
    function approveAndCall(address _spender, uint256 _value, bytes calldata _extraData) external returns (bool) {
        _approve(msg.sender, _spender, _value);
        (bool taken,) = _spender.call(
            abi.encodeCall(ApprovalReceiver.receiveApproval, (msg.sender, _value, address(this), _extraData))
        );
        require(taken, "receiveApproval failed");
        return true;
    }

    function transfer(address to, uint256 value) external whenTransfersEnabled returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external whenTransfersEnabled returns (bool) {
        uint256 allowed = allowances[from][msg.sender];
        require(value <= allowed);
        _move(from, to, value);
        _approve(from, msg.sender, allowed - value);
        return true;
    }

    function _move(address from, address to, uint256 value) private {
        require(to != address(0) && value <= balances[from]);
        balances[from] -= value;
        balances[to] += value;
        emit Transfer(from, to, value);
    }

    function _approve(address owner, address spender, uint256 value) private {
        require(spender != address(0));
        allowances[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    function _addMinter(address account) private {
        require(account != address(0) && !isMinter[account]);
        isMinter[account] = true;
        emit MinterAdded(account);
    }
}
