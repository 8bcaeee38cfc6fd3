"""The baselines at widths that train in no time."""

import dataclasses

from small_training import SMOKE

from talker.baselines.atvgnet import ATVGNetSettings
from talker.baselines.baseline import Settings
from talker.baselines.speech2vid import Speech2VidSettings
from talker.baselines.static import StaticSettings

GROUP = dataclasses.replace(SMOKE.model, normalisation="group", audio_normalisation="group")
SMALL: dict[str, Settings] = {
    "static": StaticSettings(
        model=GROUP, discriminator=SMOKE.discriminators, clips=2, window=6, decoded=2, warm_up=2
    ),
    "speech2vid": Speech2VidSettings(width=4, clips=2, window=6, decoded=2),
    "atvgnet": ATVGNetSettings(
        width=4, components=6, hidden=16, clips=2, window=6, decoded=3, warm_up=2
    ),
}
