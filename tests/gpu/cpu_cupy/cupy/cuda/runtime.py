"""Of cupy.cuda.runtime, what engine cupy and its benchmark use."""


def getDeviceCount():
    return 1


def deviceGetPCIBusId(device):
    return "0000:00:00.0"


def memGetInfo():
    return 1 << 30, 2 << 30


def getDeviceProperties(device):
    return {"name": b"stand-in", "totalGlobalMem": 2 << 30}


def driverGetVersion():
    return 12000
