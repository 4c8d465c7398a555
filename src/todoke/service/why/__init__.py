"""Why a number may or may not be texted: every rule with its verdict, one function a rule."""
