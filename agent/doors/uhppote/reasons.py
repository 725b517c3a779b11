"""The reasons a UHPPOTE / 微耕 board gives for its events, as numbers and as words.

Source: the reason codes in the documentation of uhppoted and of the boards' maker; those above 44 are not used.
"""

from rules.text import Text

SWIPE = 1  # the board opened, by its own card list
PC_CONTROL = 5  # a known card, and whoever controls the board is to decide
UNKNOWN_CARD = 18
BUTTON = 20
DOOR_OPEN, DOOR_CLOSED = 23, 24
SUPERVISOR = 25
POWER_ON, RESET = 28, 29
REMOTE_OPEN = 44

_WORDS = {
    SWIPE: Text("opened by the board's own card list", "控制器按自身名单开门"),
    PC_CONTROL: Text("left to the agent", "交由代理判定"),
    6: Text("refused by the board: no right", "控制器拒绝：无权限"),
    7: Text("refused by the board: wrong password", "控制器拒绝：密码错误"),
    8: Text("refused by the board: anti-passback", "控制器拒绝：反潜回"),
    9: Text("refused by the board: more cards needed", "控制器拒绝：需多卡"),
    10: Text("refused by the board: first card needed", "控制器拒绝：需首卡"),
    11: Text("refused by the board: door is kept closed", "控制器拒绝：门为常闭"),
    12: Text("refused by the board: interlock", "控制器拒绝：互锁"),
    13: Text("refused by the board: not at this time", "控制器拒绝：不在时段内"),
    15: Text("refused by the board: card not valid today", "控制器拒绝：卡不在有效期"),
    UNKNOWN_CARD: Text("refused by the board: unknown card", "控制器拒绝：未知卡"),
    BUTTON: Text("button inside", "出门按钮"),
    DOOR_OPEN: Text("door opened", "门打开"),
    DOOR_CLOSED: Text("door closed", "门关闭"),
    SUPERVISOR: Text("opened with the board's supervisor code", "以超级密码开门"),
    POWER_ON: Text("board powered on", "控制器上电"),
    RESET: Text("board reset", "控制器复位"),
    33: Text("refused by the board: interlock", "控制器拒绝：互锁"),
    34: Text("duress", "胁迫"),
    37: Text("door held open", "门开启超时"),
    38: Text("door forced", "强行开门"),
    39: Text("fire signal", "火警"),
    REMOTE_OPEN: Text("opened over the network by somebody else", "被他人经网络开门"),
}


def text(reason: int) -> Text:
    """Return what *reason* means; total."""
    return _WORDS.get(reason) or Text(f"the board's reason {reason}", f"控制器原因码 {reason}")
