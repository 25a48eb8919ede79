@{
    RootModule = 'ZoomUserStatus.psm1'
    ModuleVersion = '0.1.0'
    GUID = '6d0c4f9e-5b1f-4f43-9d2a-1c8f5a3f7e52'
    Author = 'The libzus authors'
    CompanyName = 'The libzus authors'
    Copyright = 'The libzus authors. MIT OR Apache-2.0'
    Description = 'Activates and deactivates Zoom users: many in one batch, at the configured rate, with one result for each user. Retries, OAuth and a report included.'
    CompatiblePSEditions = @('Desktop', 'Core')
    PowerShellVersion = '5.1'
    DotNetFrameworkVersion = '4.7.2'
    TypesToProcess = @('ZoomUserStatus.types.ps1xml')
    FormatsToProcess = @('ZoomUserStatus.format.ps1xml')
    FunctionsToExport = @()
    CmdletsToExport = @(
        'Connect-ZoomUserStatus'
        'Disable-ZoomUser'
        'Disconnect-ZoomUserStatus'
        'Enable-ZoomUser'
        'Get-ZoomUserStatus'
        'Set-ZoomUserStatus'
        'Test-ZoomUserStatusConnection'
    )
    VariablesToExport = @()
    AliasesToExport = @()
    PrivateData = @{
        PSData = @{
            Tags = @('Zoom', 'Offboarding', 'User', 'Deactivate', 'PSEdition_Core', 'PSEdition_Desktop', 'Windows', 'Linux', 'MacOS')
        }
    }
}
